"""One owner of the stores and the port, and worker processes that find and order candidates (`serve --workers N`)."""
