"""limner-bfl: Black Forest Labs' API, with the FLUX models."""
