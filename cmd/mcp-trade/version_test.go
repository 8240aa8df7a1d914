package main

import "testing"

func TestBuild(t *testing.T) {
	const revision = "9244e5a3ddd6e0cf04861730ac885f11b21c08d1"
	for _, c := range []struct {
		build      build
		name, text string
	}{
		{build{Version: "devel"}, "devel", "mcp-trade devel go1 os/arch (built without the revision of its repository)"},
		{build{Version: "devel", Revision: revision, Time: "2025-11-01T12:00:00Z"}, "devel-9244e5a3ddd6", "mcp-trade devel go1 os/arch\nrevision " + revision + " of 2025-11-01T12:00:00Z"},
		{build{Version: "devel", Revision: revision, Modified: true}, "devel-9244e5a3ddd6+dirty", "mcp-trade devel go1 os/arch\nrevision " + revision + " of , modified"},
		{build{Version: "v0.0.0-20251101120000-9244e5a3ddd6+dirty", Revision: revision, Modified: true}, "v0.0.0-20251101120000-9244e5a3ddd6+dirty", "mcp-trade v0.0.0-20251101120000-9244e5a3ddd6+dirty go1 os/arch\nrevision " + revision + " of , modified"},
		{build{Version: "v1.2.3", Revision: revision}, "v1.2.3-9244e5a3ddd6", "mcp-trade v1.2.3 go1 os/arch\nrevision " + revision + " of "},
	} {
		c.build.Go, c.build.Platform = "go1", "os/arch"
		if got := c.build.name(); got != c.name {
			t.Errorf("%+v is named %s, want %s", c.build, got, c.name)
		}
		if got := c.build.String(); got != c.text {
			t.Errorf("%+v is told as %q, want %q", c.build, got, c.text)
		}
	}
}
