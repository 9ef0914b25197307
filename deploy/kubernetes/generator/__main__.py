"""Write every generated file, and remove those of services that are gone."""

from . import output

if __name__ == "__main__":
    output.write()
