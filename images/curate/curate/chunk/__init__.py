"""chunk: documents into extracts of whole sentences or Markdown blocks."""
