"""limner-gemini: Google's Gemini image models, by the Gemini API and by Vertex AI."""
