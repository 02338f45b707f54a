"""The services of Pellicule, a package each, and the chassis they stand on."""
