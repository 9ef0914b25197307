"""Write the generated part of the client."""

from .output import write

if __name__ == "__main__":
    write()
