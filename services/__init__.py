"""Services of Pellicule, a package each, and the chassis they stand on."""
