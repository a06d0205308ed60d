'rollcall' => [
    'url' => env('ROLLCALL_URL'),
    'key' => env('ROLLCALL_KEY'),
],
