// Package jwt reads who is logged in from the signed tokens (JSON Web Tokens, RFC 7519) of an
// application, so that the application's back end need not report anything. It knows the keys of
// issuers and what their claims mean; it knows no database and no HTTP of ours.
package jwt
