"""What every room stands on: records, geometry, files, texts, errors, devices."""
