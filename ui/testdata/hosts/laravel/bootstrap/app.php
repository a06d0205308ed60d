<?php
// Laravel as Debian packages it: without composer, and a folder vendor.
require_once 'Illuminate/autoload.php';
require_once 'Illuminate/Foundation/helpers.php';

spl_autoload_register(function (string $class) {
    $file = dirname(__DIR__).'/app/'.strtr(substr($class, 4), '\\', '/').'.php';
    if (str_starts_with($class, 'App\\') && is_file($file)) {
        require $file;
    }
});

$app = new Illuminate\Foundation\Application(dirname(__DIR__));
$app->singleton(Illuminate\Contracts\Http\Kernel::class, App\Http\Kernel::class);
$app->singleton(Illuminate\Contracts\Debug\ExceptionHandler::class, Illuminate\Foundation\Exceptions\Handler::class);

return $app;
