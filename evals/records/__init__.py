"""What a run is made from and what it leaves on disk: spec, plan, manifest, rows, store."""
