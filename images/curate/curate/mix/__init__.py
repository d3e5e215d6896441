"""Add general instruction samples."""
