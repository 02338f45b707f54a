"""Command `rollout`."""

from typing import Annotated

import typer

from deploy.ops.checks.scope import Scope
from deploy.ops.editor import KubernetesEditor
from deploy.ops.errors import UsageWrong
from deploy.ops.options import Context, Json, Namespace, Release
from deploy.ops.output import emit, failures, note
from deploy.ops.pods import configured
from deploy.ops.rollout.plan import Change, plan_of
from deploy.ops.rollout.run import Means, Rollout
from deploy.ops.waiting import MachineClock


def rollout(
    image: Annotated[str, typer.Option(help="Of the models' server.")] = "",
    repository: Annotated[str, typer.Option(help="Of models, as it was published: repositories/NAME.")] = "",
    paint: Annotated[bool, typer.Option("--paint", help="Have a picture painted, too; takes seconds.")] = False,
    timeout: Annotated[float, typer.Option(min=1, help="The longest wait for one step, in seconds.")] = 900,
    namespace: Namespace = "pellicule",
    release: Release = "",
    context: Context = None,
    as_json: Json = False,
) -> None:
    """Give models' servers another image or other models: one first, whose answers are known; else all goes back."""
    scope, wanted = Scope(namespace, release), Change(image, repository)
    with failures(as_json=as_json):
        if not image and not repository:
            raise UsageWrong("NOTHING_TO_DO", "say what is rolled out: --image, --repository")
        cluster, pods = configured(context)
        from kubernetes import client

        means = Means(
            cluster, KubernetesEditor(client.ApiClient()), pods, MachineClock(), note, seconds=timeout, paint=paint
        )
        Rollout(plan_of(cluster, scope, wanted), scope, means).run()
        note("done; set the same in the values (image, models.repository), or the next helm upgrade takes it back")
        if as_json:
            emit({"image": image or None, "repository": repository or None, "promoted": True})
