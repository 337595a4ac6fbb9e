"""The platform: its JSON (`wire`) and its HTTP (`client`)."""
