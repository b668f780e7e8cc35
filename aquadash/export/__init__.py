"""What a person takes home: a run as one ZIP, as a script and a notebook that repeat it, as a report on paper."""
