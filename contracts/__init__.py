"""AGREE: what two folders must agree on. Imports nothing of ours."""
