<?php

namespace App\Providers;

use Illuminate\Auth\Events\Login;
use Illuminate\Auth\Events\Logout;
use Illuminate\Http\Client\PendingRequest;
use Illuminate\Support\Facades\Event;
use Illuminate\Support\Facades\Http;
use Illuminate\Support\ServiceProvider;

class AppServiceProvider extends ServiceProvider
{
    public function boot(): void
    {
        Event::listen(fn (Login $event) => rescue(fn () => $this->reportLogin($event)));
        Event::listen(fn (Logout $event) => rescue(fn () => $this->reportLogout()));
    }

    private function reportLogin(Login $event): void
    {
        $answer = $this->rollcall()->post('/admin/sessions', [
            'user' => [
                'id' => (string) $event->user->getAuthIdentifier(),
                'name' => $event->user->name,
                'email' => $event->user->email,
            ],
            'ip_address' => request()->ip(),
            'user_agent' => (string) request()->userAgent(),
        ])->throw();

        session(['rollcall_token' => $answer->json('session.token')]);
    }

    private function reportLogout(): void
    {
        if ($token = session('rollcall_token')) {
            $this->rollcall()->post('/admin/sessions/end', ['session_token' => $token])->throw();
        }
    }

    private function rollcall(): PendingRequest
    {
        return Http::baseUrl(config('services.rollcall.url'))
            ->withToken(config('services.rollcall.key'))
            ->timeout(3);
    }
}
