from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tenancy', '0002_retention_bounds'),
    ]

    operations = [
        migrations.AlterField(
            model_name='municipality',
            name='deviation_routine_en',
            field=models.TextField(blank=True, default='', max_length=4000, verbose_name='routine when a door will not open, English'),
        ),
        migrations.AlterField(
            model_name='municipality',
            name='deviation_routine_sv',
            field=models.TextField(blank=True, default='', max_length=4000, verbose_name='routine when a door will not open, Swedish'),
        ),
    ]
