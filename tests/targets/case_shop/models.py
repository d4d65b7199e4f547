"""What the shop sells."""

from django.db import models


class Brand(models.Model):
    name = models.CharField(max_length=40)

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    name = models.CharField(max_length=40)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE)
    price = models.DecimalField(max_digits=8, decimal_places=2)

    def __str__(self) -> str:
        return self.name


def create_and_fill() -> None:
    """Makes the tables of the fresh database in memory, with the same rows every time."""
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)
    brands = [Brand.objects.create(name=f"brand {i}") for i in range(25)]
    Product.objects.bulk_create(
        Product(name=f"product {i:03}", brand=brands[i * 7 % 25], price=100 + i * 37 % 911) for i in range(200)
    )
