"""The contributors' bench: new scenes, lectures, runs and kit objects from templates; pictures while you write."""
