"""A patch of membrane built round a protein: how it stands, what is packed, what its lipids are called."""
