App\Providers\RollcallServiceProvider::class,
