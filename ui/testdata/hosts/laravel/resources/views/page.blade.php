<!doctype html><html lang="en"><head><title>Host</title>@rollcall</head><body><p id="who">{{ auth()->user()->name ?? '' }}</p>
@if ($next)
<a id="back" href="/">Back</a>
@else
@auth
@foreach (['logout' => '', 'password' => 'password', 'rename' => 'name', 'deactivate' => 'user', 'delete' => ''] as $form => $field)
<form id="{{ $form }}" method="post" action="/{{ $form }}">@csrf @if ($field)<input name="{{ $field }}">@endif<button>{{ $form }}</button></form>
@endforeach
@else
<form id="login" method="post" action="/login">@csrf <input name="name"><input name="password" type="password"><input name="remember" type="checkbox"><button>Log in</button></form>
@endauth
<a id="next" href="/next">Next</a>
@endif
</body></html>
