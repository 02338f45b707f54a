"""Between messages and what the use cases take and give: requests, analyses and streams, and what services tell."""
