// Addresses of a Redis, as settings give them.

package redisstore

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Options reads the address of a Redis:
//
//	redis://[user[:password]@]host[:port][/db]           plain TCP
//	rediss://...                                         TLS
//	redis://host1:6379,host2:6379                        a cluster, by some of its nodes
//	redis://host1:26379,host2:26379?master_name=NAME     the master of that name, found through its sentinels; they may need
//	                                                     &sentinel_username=USER&sentinel_password=PASSWORD
//	rediss://...?skip_verify=true                        TLS without verifying the certificate
//
// In the first password only a literal "%" must be escaped. No error repeats the address, since it may hold a password.
func Options(address string) (*redis.UniversalOptions, error) {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok || (scheme != "redis" && scheme != "rediss") {
		return nil, errors.New("a Redis address starts with redis:// or, for TLS, rediss://")
	}
	user, password := "", ""
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		user, password, _ = strings.Cut(rest[:at], ":")
		rest = rest[at+1:]
	}
	hosts, path := cutBefore(rest, "/?")
	path, sentinel, err := cutSentinel(path)
	if err != nil {
		return nil, err
	}
	addrs := strings.Split(hosts, ",")
	for i, a := range addrs {
		if addrs[i], err = withPort(a); err != nil {
			return nil, err
		}
	}
	one, err := redis.ParseURL(scheme + "://" + addrs[0] + path)
	if err != nil {
		return nil, errors.New("what follows the host of the Redis address is not a database number, or an option that is not known")
	}
	if one.TLSConfig != nil {
		one.TLSConfig.ServerName = "" // each certificate is verified for the host that is dialled
	}
	return &redis.UniversalOptions{
		Addrs: addrs, MasterName: sentinel.Get(masterName), DB: one.DB,
		SentinelUsername: sentinel.Get(sentinelUser), SentinelPassword: sentinel.Get(sentinelPassword),
		Username: unescaped(user), Password: unescaped(password), TLSConfig: one.TLSConfig,
	}, nil
}

// maxPrefix bounds the prefix of keys, in bytes.
const maxPrefix = 64

// CheckPrefix says why a text cannot be the prefix of keys: it is to have up to 64 letters, digits and ":._-" alone, since a cluster places a
// key by what braces hold, and a scan takes others for patterns.
func CheckPrefix(prefix string) error {
	wrong := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(":._-", r))
	}
	if len(prefix) > maxPrefix || strings.ContainsFunc(prefix, wrong) {
		return fmt.Errorf("a prefix of keys, such as team1: has up to %d letters, digits and the characters : . _ and -", maxPrefix)
	}
	return nil
}

// UpstashOptions reads the settings that Upstash gives for its HTTP interface. The same database speaks native Redis over TLS on
// port 6379, with the token as a password. The user is "default" for the database's own token, else the user whose token it is.
func UpstashOptions(restURL, user, token string) (*redis.UniversalOptions, error) {
	u, err := url.Parse(restURL)
	switch {
	case err != nil || u.Hostname() == "":
		return nil, errors.New("it is not an address such as https://name.upstash.io")
	case u.Scheme != "https":
		return nil, fmt.Errorf("it names %s over %s, but Redis itself is spoken, with Upstash on port 6379 with TLS, and not its HTTP interface. For a stand-in give the address of the Redis behind it", u.Host, u.Scheme)
	case token == "":
		return nil, errors.New("it comes without a token")
	}
	return &redis.UniversalOptions{
		Addrs: []string{net.JoinHostPort(u.Hostname(), "6379")}, Username: cmp.Or(user, "default"), Password: token,
		TLSConfig: &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12},
	}, nil
}

func cutBefore(s, chars string) (before, rest string) {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// The options of an address that go-redis does not read from it.
const (
	masterName       = "master_name"
	sentinelUser     = "sentinel_username"
	sentinelPassword = "sentinel_password"
)

// cutSentinel removes those options from the query, and returns them.
func cutSentinel(path string) (without string, sentinel url.Values, err error) {
	path, query, _ := strings.Cut(path, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", nil, errors.New("the part of the Redis address after the '?' cannot be read")
	}
	sentinel = url.Values{}
	for _, name := range []string{masterName, sentinelUser, sentinelPassword} {
		sentinel.Set(name, values.Get(name))
		values.Del(name)
	}
	if len(values) > 0 {
		path += "?" + values.Encode()
	}
	return path, sentinel, nil
}

// TrustCA makes o trust servers whose certificates were signed by one of those in a PEM file.
func TrustCA(o *redis.UniversalOptions, pem []byte) error {
	if o.TLSConfig == nil {
		return errors.New("a CA is named for a Redis address without TLS: use rediss://")
	}
	o.TLSConfig.RootCAs = x509.NewCertPool()
	if !o.TLSConfig.RootCAs.AppendCertsFromPEM(pem) {
		return errors.New("there is no certificate in it; it must be PEM")
	}
	return nil
}

// unescaped undoes URL escapes. It returns text with an invalid escape unchanged.
func unescaped(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

func withPort(hostport string) (string, error) {
	if hostport == "" {
		return "", errors.New("the Redis address has no host")
	}
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host, port = hostport, "6379"
		if inner, ok := strings.CutPrefix(host, "["); ok && strings.HasSuffix(inner, "]") {
			host = strings.TrimSuffix(inner, "]")
		}
	}
	_, errPort := strconv.ParseUint(port, 10, 16)
	if errPort != nil || strings.ContainsAny(host, "[] ") || strings.Contains(host, ":") && net.ParseIP(host) == nil {
		return "", errors.New("the Redis address has a host that is not a name or an IP address, with a port or without")
	}
	return net.JoinHostPort(host, port), nil
}
