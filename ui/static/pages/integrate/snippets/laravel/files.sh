curl -fsSo app/rollcall.php https://rollcall.example/clients/php/rollcall.php
curl -fsSo app/Providers/RollcallServiceProvider.php https://rollcall.example/clients/laravel/RollcallServiceProvider.php
