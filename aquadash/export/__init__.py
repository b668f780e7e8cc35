"""A run exported: as one ZIP, as a script and a notebook that repeat it, as a report on paper."""
