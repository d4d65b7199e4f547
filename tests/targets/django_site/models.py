"""The one table that the synchronous view queries."""

from django.db import models


class Product(models.Model):
    name = models.CharField(max_length=40)
    category = models.CharField(max_length=20, db_index=True)
    price = models.IntegerField()

    def __str__(self) -> str:
        return self.name


def create_and_fill() -> None:
    """Makes the table of the fresh database in memory, with the same rows every time."""
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)
    Product.objects.bulk_create(
        Product(name=f"product {i}", category=f"category {i % 7}", price=100 + i * 37 % 911) for i in range(200)
    )
