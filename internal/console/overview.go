package console

import (
	"net/http"

	"github.com/sallyport/sallyport/internal/console/api"
)

// overview is the first page of an organization.
type overview struct {
	Replicas []api.Replica // for administrators of the instance
}

func (v *visit) overviewPage() error {
	data := overview{}
	if v.me.SuperAdmin {
		list, err := v.api.Replicas(v.ctx)
		if err != nil && !api.Refused(err) {
			return err
		}
		data.Replicas = list
	}
	return v.show(http.StatusOK, "overview", "Overview", data)
}
