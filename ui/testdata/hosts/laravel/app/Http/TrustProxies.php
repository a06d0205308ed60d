<?php

namespace App\Http;

class TrustProxies
{
    public function handle($request, $next)
    {
        $request->setTrustedProxies(array_filter([env('TRUSTED_PROXY')]), $request::HEADER_X_FORWARDED_FOR);

        return $next($request);
    }
}
