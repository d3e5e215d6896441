"""Statistics and the funnel of rows, as one HTML report and a JSON."""
