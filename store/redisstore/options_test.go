package redisstore_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mcp-trade/store/redisstore"
)

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		address        string
		addrs          []string
		user, password string
		db             int
		master         string
		tls            bool
	}{
		{address: "redis://localhost", addrs: []string{"localhost:6379"}},
		{address: "redis://localhost:7000", addrs: []string{"localhost:7000"}},
		{address: "redis://10.0.0.1:7000/3", addrs: []string{"10.0.0.1:7000"}, db: 3},
		{address: "redis://localhost/", addrs: []string{"localhost:6379"}},
		{address: "redis://[::1]", addrs: []string{"[::1]:6379"}},
		{address: "redis://[::1]:7000", addrs: []string{"[::1]:7000"}},
		{address: "redis://:word@localhost", addrs: []string{"localhost:6379"}, password: "word"},
		{address: "redis://user:word@localhost:7000/2", addrs: []string{"localhost:7000"}, user: "user", password: "word", db: 2},
		{address: "redis://user@localhost", addrs: []string{"localhost:6379"}, user: "user"},
		{address: "redis://us%65r:p%40ss%3Aw%2Frd@localhost", addrs: []string{"localhost:6379"}, user: "user", password: "p@ss:w/rd"},
		{address: "redis://:p@ss/w?r#d:x@localhost:7000", addrs: []string{"localhost:7000"}, password: "p@ss/w?r#d:x"},
		{address: "redis://:50%off@localhost", addrs: []string{"localhost:6379"}, password: "50%off"},
		{address: "redis://:a+b@localhost", addrs: []string{"localhost:6379"}, password: "a+b"},
		{address: "rediss://:word@db.example.com", addrs: []string{"db.example.com:6379"}, password: "word", tls: true},
		{address: "redis://a:7000,b:7001,c", addrs: []string{"a:7000", "b:7001", "c:6379"}},
		{address: "redis://:word@a:7000,b:7001", addrs: []string{"a:7000", "b:7001"}, password: "word"},
		{address: "rediss://a,b", addrs: []string{"a:6379", "b:6379"}, tls: true},
		{address: "redis://a:26379,b:26379?master_name=main", addrs: []string{"a:26379", "b:26379"}, master: "main"},
		{address: "redis://:word@a:26379/1?master_name=main", addrs: []string{"a:26379"}, password: "word", db: 1, master: "main"},
		{address: "redis://localhost?db=4", addrs: []string{"localhost:6379"}, db: 4},
	} {
		t.Run(c.address, func(t *testing.T) {
			o, err := redisstore.Options(c.address)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(o.Addrs, c.addrs) || o.Username != c.user || o.Password != c.password || o.DB != c.db ||
				o.MasterName != c.master || (o.TLSConfig != nil) != c.tls {
				t.Errorf("addresses %q, user %q, password %q, db %d, master %q, TLS %t",
					o.Addrs, o.Username, o.Password, o.DB, o.MasterName, o.TLSConfig != nil)
			}
		})
	}
}

// Wrong addresses are refused without telling them.
func TestOptions_Errors(t *testing.T) {
	for _, address := range []string{
		"", "localhost:6379", "secret@localhost", "http://:secret@localhost", "redis:secret@localhost", "unix:///secret",
		"redis://", "redis://:secret@", "redis://:secret@localhost:port", "redis://:secret@localhost:6379:6379",
		"redis://:secret@a,,b", "redis://:secret@,b", "redis://:secret@localhost/first", "redis://:secret@localhost/1/2",
		"redis://:secret@localhost?master_name=%zz", "redis://:secret@localhost?unheard=of", "redis://:secret@local host",
		"redis://:secret@[::1", "redis://:secret@localhost?db=secret", "redis://:secret@localhost\x7f",
	} {
		t.Run(address, func(t *testing.T) {
			o, err := redisstore.Options(address)
			if err == nil {
				t.Fatalf("it was read as %q", o.Addrs)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error repeats the address: %v", err)
			}
		})
	}
}

// Any password is read, and no error or log tells it.
func TestOptions_Passwords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		password := rapid.StringMatching(`[ -~é]{8,20}`).Draw(t, "password")
		for _, host := range []string{"localhost:7000", "localhost:no port", "", "a,,b"} {
			for _, written := range []string{password, url.QueryEscape(password), url.PathEscape(password)} {
				o, err := redisstore.Options("redis://user:" + written + "@" + host)
				if err != nil && (strings.Contains(err.Error(), password) || strings.Contains(err.Error(), written)) {
					t.Fatalf("the error tells the password: %v", err)
				}
				if err == nil != (host == "localhost:7000") {
					t.Fatalf("host %q: %v", host, err)
				}
				if err == nil && written == url.PathEscape(password) && (o.Password != password || o.Username != "user") {
					t.Fatalf("the password %q was read as %q of %q", password, o.Password, o.Username)
				}
			}
		}
	})
}

func TestUpstashOptions(t *testing.T) {
	for _, c := range []struct{ url, token, addr string }{
		{"https://eu1-name-123.upstash.io", "token-word", "eu1-name-123.upstash.io:6379"},
		{"https://name.upstash.io/", "token-word", "name.upstash.io:6379"},
		{"https://name.upstash.io:443/path?x=y", "token-word", "name.upstash.io:6379"},
		{"", "token-word", ""},
		{"name.upstash.io", "token-word", ""},
		{"http://token-word@name.upstash.io", "token-word", ""},
		{"https://", "token-word", ""},
		{"https://name.upstash.io", "", ""},
		{"https://:token-word@", "token-word", ""},
		{"https://%zztoken-word@name.upstash.io", "token-word", ""},
		{"https://token-word:x", "token-word", ""},
	} {
		t.Run(c.url, func(t *testing.T) {
			o, err := redisstore.UpstashOptions(c.url, "", c.token)
			if err != nil {
				if c.addr != "" {
					t.Error(err)
				}
				if strings.Contains(err.Error(), "token-word") {
					t.Errorf("the error tells the token: %v", err)
				}
				return
			}
			if !slices.Equal(o.Addrs, []string{c.addr}) || o.Username != "default" || o.Password != c.token ||
				o.TLSConfig == nil || o.TLSConfig.ServerName != strings.TrimSuffix(c.addr, ":6379") {
				t.Errorf("addresses %q, user %q, TLS %v", o.Addrs, o.Username, o.TLSConfig != nil)
			}
		})
	}
}

func TestUpstashOptions_User(t *testing.T) {
	o, err := redisstore.UpstashOptions("https://name.upstash.io", "reader", "token-word")
	if err != nil || o.Username != "reader" || o.Password != "token-word" {
		t.Errorf("%+v, %v", o, err)
	}
	for _, address := range []string{"http://127.0.0.1:8079", "http://name.upstash.io", "ftp://name.upstash.io"} {
		if _, err := redisstore.UpstashOptions(address, "", "token-word"); err == nil || !strings.Contains(err.Error(), "the address of the Redis behind it") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// Sentinels have a password of their own.
func TestOptions_SentinelPassword(t *testing.T) {
	o, err := redisstore.Options("redis://:data-word@a:26379?master_name=main&sentinel_username=watch&sentinel_password=w%26rd")
	if err != nil || o.Password != "data-word" || o.SentinelUsername != "watch" || o.SentinelPassword != "w&rd" || o.MasterName != "main" {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestTrustCA(t *testing.T) {
	plain, _ := redisstore.Options("redis://localhost")
	secure, _ := redisstore.Options("rediss://localhost")
	if err := redisstore.TrustCA(plain, nil); err == nil || !strings.Contains(err.Error(), "rediss://") {
		t.Error(err)
	}
	if err := redisstore.TrustCA(secure, []byte("none")); err == nil {
		t.Error("it takes what is no certificate")
	}
}
