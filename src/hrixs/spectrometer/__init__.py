"""The class `hRIXS`, its settings, and the recipe that they make."""
