<?php

return ['name' => 'host', 'env' => env('APP_ENV', 'production'), 'debug' => false, 'url' => 'http://localhost', 'timezone' => 'UTC', 'locale' => 'en',
    'key' => 'base64:'.base64_encode('thirty-two bytes for the tests!!'), 'cipher' => 'AES-256-CBC', 'providers' => [
        Illuminate\Auth\AuthServiceProvider::class, Illuminate\Cookie\CookieServiceProvider::class, Illuminate\Database\DatabaseServiceProvider::class,
        Illuminate\Encryption\EncryptionServiceProvider::class, Illuminate\Filesystem\FilesystemServiceProvider::class,
        Illuminate\Foundation\Providers\FoundationServiceProvider::class, Illuminate\Hashing\HashServiceProvider::class,
        Illuminate\Session\SessionServiceProvider::class, Illuminate\View\ViewServiceProvider::class,
        Illuminate\Cache\CacheServiceProvider::class, Illuminate\Translation\TranslationServiceProvider::class,
        App\Providers\AppServiceProvider::class, App\Providers\RollcallServiceProvider::class,
    ], 'aliases' => []];
