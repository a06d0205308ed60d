<?php
// The application's own tests, by Laravel's kernel as its test case calls it; Rollcall is off although it is configured.
putenv('APP_ENV=testing');
$_ENV['APP_ENV'] = $_SERVER['APP_ENV'] = 'testing';
$app = require __DIR__.'/bootstrap/app.php';
$kernel = $app->make(Illuminate\Contracts\Http\Kernel::class);
$cookies = [];

function ask(string $method, string $path, array $data = [], array $server = [])
{
    global $app, $kernel, $cookies;
    $app->bound('auth') && $app['auth']->forgetGuards();
    $response = $kernel->handle(Illuminate\Http\Request::create("http://localhost$path", $method, $data, $cookies, [], $server));
    foreach ($response->headers->getCookies() as $cookie) {
        $cookies[$cookie->getName()] = $cookie->getValue();
    }

    return $response;
}

function check(bool $is, string $what)
{
    if (! $is) {
        fwrite(STDERR, "not so: $what\n");
        exit(1);
    }
}

check(ask('GET', '/reset')->status() === 200, 'reset');
check(ask('POST', '/login', ['name' => 'ada', 'password' => 'secret'])->status() === 303, 'logged in');
$page = ask('GET', '/')->getContent();
check(str_contains($page, 'Ada Lovelace') && ! str_contains($page, 'heartbeat'), "the page: $page");
check(ask('POST', '/rollcall/token', [], ['HTTP_X_ROLLCALL' => 'renew'])->status() === 204, 'nobody for Rollcall');
check(ask('POST', '/rename', ['name' => 'Augusta'])->status() === 303, 'renamed');
check(ask('POST', '/delete')->status() === 303, 'deleted');
