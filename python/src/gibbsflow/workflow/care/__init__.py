"""Campaigns as a whole: which there are, what they take up, and how one is cleaned, archived and moved."""
