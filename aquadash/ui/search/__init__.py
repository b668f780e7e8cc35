"""The Train page's searches."""
