"""Views that a load test asks for: see configure.zcml."""
