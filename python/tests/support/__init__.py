"""Peers to test against, none of which is pabal, and ways to look at what a test left behind."""
