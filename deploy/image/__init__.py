"""Trying the image that ``make image`` builds."""
