"""What the first labels of a liquid show: its molecules alone, in pairs, and pressed or apart in their box."""
