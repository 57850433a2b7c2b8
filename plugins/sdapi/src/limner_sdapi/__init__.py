"""limner-sdapi: the ``/sdapi/v1`` API of AUTOMATIC1111, Forge, SD.Next, stable-diffusion.cpp and others."""
