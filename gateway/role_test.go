package gateway

import (
	"testing"
	"time"
)

// Who may see papers is what the product promises; the rest of the table is
// tried route by route at the desk.
func TestRoles(t *testing.T) {
	for role, want := range map[Role]string{
		RoleCaseworker: "papers change download ask deliver",
		RoleSupervisor: "papers change download ask deliver hold figures",
		RoleAuditor:    "figures audit",
		RoleAdmin:      "accounts",
		"owner":        "",
	} {
		staff := Staff{Roles: RolesIn(role, "north")}
		got := ""
		for _, right := range []Right{
			RightPapers, RightChange, RightDownload, RightAsk, RightDeliver, RightHold, RightFigures, RightAudit, RightAccounts,
		} {
			if staff.Can(right, "south") {
				t.Errorf("%s of north may %s at south", role, right)
			}
			if staff.Can(right, "north") {
				got += " " + string(right)
			}
		}
		if got != "" {
			got = got[1:]
		}
		if got != want {
			t.Errorf("%s may %q, not %q", role, got, want)
		}
		if ValidRole(role) != (want != "") {
			t.Errorf("%s: valid is %v", role, ValidRole(role))
		}
		staff.DisabledAt = time.Unix(1, 0)
		if staff.Can(RightPapers, "north") || len(staff.OfficesWith(RightAccounts)) != 0 {
			t.Errorf("a disabled %s may do something", role)
		}
	}
}
