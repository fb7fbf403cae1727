"""The crawl: every address of the server, found by itself, visited by somebody who must not see all."""
