<?php

namespace App\Providers;

use Illuminate\Auth\Events\Login;
use Illuminate\Auth\Events\Logout;
use Illuminate\Foundation\Http\Middleware\VerifyCsrfToken;
use Illuminate\Http\Exceptions\HttpResponseException;
use Illuminate\Http\Request;
use Illuminate\Support\Facades\Auth;
use Illuminate\Support\Facades\Blade;
use Illuminate\Support\Facades\Cookie;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Event;
use Illuminate\Support\Facades\Hash;
use Illuminate\Support\Facades\Route;
use Illuminate\Support\ServiceProvider;
use Illuminate\Support\Str;
use Rollcall;

/*
 * Rollcall in a Laravel application (8 or later). Put this file into app/Providers, rollcall.php into app, and the class
 * among the providers (config/app.php, or bootstrap/providers.php). Then @rollcall in the head of every page is all:
 * logins, logouts, changes of passwords and people are told by Laravel's events. It does nothing without ROLLCALL_URL
 * and ROLLCALL_KEY in .env, and in tests. A method toRollcall() of the user's model may return more of them, such as
 * ['role' => ..., 'organization' => ..., 'team' => ...]. After an account is blocked: Rollcall::deactivated($user->id).
 */
class RollcallServiceProvider extends ServiceProvider
{
    public function register(): void
    {
        require_once app_path('rollcall.php');
        if (! $this->app->configurationIsCached()) { // a cached configuration has them
            config(['services.rollcall' => ['url' => env('ROLLCALL_URL'), 'key' => env('ROLLCALL_KEY')]]);
        }
    }

    public function boot(): void
    {
        $on = ! $this->app->runningUnitTests();
        Rollcall::configure($on ? config('services.rollcall.url') : '', config('services.rollcall.key'));
        Blade::directive('rollcall', fn () => '<?php echo \Rollcall::script(); ?>');
        Route::post('/rollcall/token', RollcallToken::class)->middleware([RollcallToken::class, 'web'])->withoutMiddleware(VerifyCsrfToken::class);
        if (! Rollcall::on()) {
            return;
        }
        Event::listen(Login::class, fn (Login $event) => $this->loggedIn($event));
        Event::listen(Logout::class, fn () => request()->hasSession() && Rollcall::ended(self::session(request())));
        Event::listen('eloquent.updated: *', fn ($name, $models) => $this->updated($models[0]));
        Event::listen('eloquent.deleted: *', fn ($name, $models) => $this->isUser($models[0])
            && DB::afterCommit(fn () => Rollcall::deleted($models[0]->getAuthIdentifier())));
    }

    private function loggedIn(Login $event): void
    {
        $guard = Auth::guard($event->guard);
        if (! request()->hasSession() || ! method_exists($guard, 'getRecallerName')) { // a token of an API
            return;
        }
        if (! $guard->viaRemember() && $page = Rollcall::refusal(self::person($event->user))) {
            request()->session()->forget([$guard->getName(), 'password_hash_'.$event->guard]);
            Cookie::unqueue($guard->getRecallerName());
            throw new HttpResponseException(response($page[1], $page[0])->header('Cache-Control', 'no-store'));
        }
        request()->session()->put('rollcall', Str::random(64));
    }

    private function updated($model): void
    {
        $changes = array_diff(array_keys($model->getChanges()), [$model->getUpdatedAtColumn(), 'remember_token']);
        if (! $this->isUser($model) || ! $changes) {
            return;
        }
        $user = $model->getAuthIdentifier();
        $old = $model->getOriginal('password');
        if (in_array('password', $changes, true) && ! ($old && Hash::needsRehash($old))) {
            $own = Auth::id() == $user && request()->hasSession() ? self::session(request()) : null;
            if ($own) {
                request()->session()->put('rollcall', $own); // should the session get another id
            }
            DB::afterCommit(fn () => Rollcall::passwordChanged($user, $own));
        }
        if ($changes !== ['password']) {
            DB::afterCommit(fn () => Rollcall::changed(self::person($model)));
        }
    }

    private function isUser($model): bool
    {
        return is_a($model, config('auth.providers.users.model', ''));
    }

    public static function person($user): array
    {
        return (method_exists($user, 'toRollcall') ? $user->toRollcall() : [])
            + ['id' => $user->getAuthIdentifier(), 'name' => $user->name ?? null, 'email' => $user->email ?? null];
    }

    // Rollcall's name for a session. It stays the same when the session gets another id.
    public static function session(Request $request): string
    {
        return $request->session()->get('rollcall') ?? hash('sha256', 'rollcall '.$request->session()->getId());
    }
}

// The route that heartbeat.js asks who is logged in.
class RollcallToken
{
    // As middleware: the cookie of a session that stays as it is would undo a login that happens meanwhile.
    public function handle(Request $request, $next)
    {
        $response = $next($request);
        if ($request->attributes->get('rollcall.unchanged')) {
            $response->headers->removeCookie(config('session.cookie'), config('session.path') ?? '/', config('session.domain'));
        }

        return $response;
    }

    public function __invoke(Request $request)
    {
        if ($request->header('X-Rollcall') !== 'renew') {
            return response('', 400)->header('Cache-Control', 'no-store');
        }
        $user = Rollcall::on() ? $request->user() : null;
        $session = $user ? RollcallServiceProvider::session($request) : '';
        [$status, $token] = Rollcall::report($user ? RollcallServiceProvider::person($user) : null, $session, (string) $request->ip(), $request->userAgent());
        if ($status === 409) {
            Auth::guard()->logoutCurrentDevice();
            $request->session()->invalidate();
            $request->session()->regenerateToken();
            Rollcall::ended($session);
            $status = 204;
        } elseif ($request->cookies->get(config('session.cookie')) === $request->session()->getId()) {
            $request->attributes->set('rollcall.unchanged', true);
            config(['session.driver' => 'array']); // stored again, it would undo a logout that happens meanwhile
        }
        $response = $status === 200 ? response()->json(['token' => $token]) : response('', $status);

        return $response->header('Cache-Control', 'no-store');
    }
}
