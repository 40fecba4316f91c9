"""A FastAPI service on uvicorn and uvloop, and its clients."""
