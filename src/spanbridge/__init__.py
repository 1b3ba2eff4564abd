"""Spanbridge: carry entity spans across languages."""
