"""Report → text, and the folder that the texts go to."""
