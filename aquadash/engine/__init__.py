"""Where runs run. Dask is imported when the first run is queued."""

from __future__ import annotations

from aquadash.engine.engine import Engine, check, check_names, open_engine
