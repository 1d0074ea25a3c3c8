"""How a store's tables came to be: one file for each step under versions, and their running (steps)."""
