//! Which operation of a definition is which action here. Operations are told by method and path, so
//! that a definition with other operation ids or parameter names is understood, too.

use hallpass_openapi::Operation;
use http::Method;

use super::systems::Kind;
use crate::rest::Virtual;

/// What a modelled operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Systems(Kind),
    System(Kind),
    StorageTypes,
    Pools(PoolKind),
    Pool(PoolKind),
    Volumes,
    Volume,
    SystemVolumes,
    DeviceVolumes,
    DeviceVolume,
    CreateVolume,
    EditVolume,
    DeleteVolume,
    Hosts,
    Host,
    CreateHost,
    UpdateHost,
    DeleteHost,
    Tasks,
    Task,
}

/// In which form pools are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PoolKind {
    /// The form that all device types share.
    Fleet,
    /// As a device-type1 system describes its own.
    DeviceType1,
}

/// What a path parameter names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    /// A system of any device type.
    System,
    DeviceType1,
    DeviceType2,
    Pool,
    Volume,
    Host,
    Task,
}

/// Behind `/api/v1/`, parameters as `{}`.
const PATHS: &[(&str, &str, Action)] = &[
    ("GET", "storage-systems", Action::Systems(Kind::Fleet)),
    ("GET", "storage-systems/{}", Action::System(Kind::Fleet)),
    ("GET", "storage-systems/storage-types", Action::StorageTypes),
    (
        "GET",
        "storage-systems/device-type1",
        Action::Systems(Kind::DeviceType1),
    ),
    (
        "GET",
        "storage-systems/device-type1/{}",
        Action::System(Kind::DeviceType1),
    ),
    (
        "GET",
        "storage-systems/device-type2",
        Action::Systems(Kind::DeviceType2),
    ),
    (
        "GET",
        "storage-systems/device-type2/{}",
        Action::System(Kind::DeviceType2),
    ),
    (
        "GET",
        "storage-systems/{}/storage-pools",
        Action::Pools(PoolKind::Fleet),
    ),
    (
        "GET",
        "storage-systems/{}/storage-pools/{}",
        Action::Pool(PoolKind::Fleet),
    ),
    (
        "GET",
        "storage-systems/device-type1/{}/storage-pools",
        Action::Pools(PoolKind::DeviceType1),
    ),
    (
        "GET",
        "storage-systems/device-type1/{}/storage-pools/{}",
        Action::Pool(PoolKind::DeviceType1),
    ),
    ("GET", "storage-systems/{}/volumes", Action::SystemVolumes),
    (
        "GET",
        "storage-systems/device-type1/{}/volumes",
        Action::DeviceVolumes,
    ),
    (
        "POST",
        "storage-systems/device-type1/{}/volumes",
        Action::CreateVolume,
    ),
    (
        "GET",
        "storage-systems/device-type1/{}/volumes/{}",
        Action::DeviceVolume,
    ),
    (
        "PUT",
        "storage-systems/device-type1/{}/volumes/{}",
        Action::EditVolume,
    ),
    (
        "DELETE",
        "storage-systems/device-type1/{}/volumes/{}",
        Action::DeleteVolume,
    ),
    ("GET", "volumes", Action::Volumes),
    ("GET", "volumes/{}", Action::Volume),
    ("GET", "host-initiators", Action::Hosts),
    ("POST", "host-initiators", Action::CreateHost),
    ("GET", "host-initiators/{}", Action::Host),
    ("PUT", "host-initiators/{}", Action::UpdateHost),
    ("DELETE", "host-initiators/{}", Action::DeleteHost),
    ("GET", "tasks", Action::Tasks),
    ("GET", "tasks/{}", Action::Task),
];

impl Action {
    /// The action of an operation, if it is modelled.
    pub(crate) fn of(operation: &Operation) -> Option<Self> {
        Self::find(operation.method(), operation.path())
    }

    fn find(method: &Method, path: &str) -> Option<Self> {
        let path: Vec<&str> = path
            .strip_prefix("/api/v1/")?
            .split('/')
            .map(|segment| {
                if segment.starts_with('{') {
                    "{}"
                } else {
                    segment
                }
            })
            .collect();
        let path = path.join("/");
        let (.., action) = PATHS
            .iter()
            .find(|(verb, known, _)| *verb == method.as_str() && *known == path)?;
        Some(*action)
    }

    /// Attributes to filter by that the schema does not name (domain.md 6.2).
    pub(crate) fn virtual_attributes(self) -> Virtual {
        match self {
            Self::Hosts => Virtual::These(super::hosts::VIRTUAL),
            Self::Tasks => Virtual::Everything,
            _ => Virtual::These(&[]),
        }
    }

    /// What the path parameters name, in their order.
    pub(crate) fn parameters(self) -> &'static [Named] {
        match self {
            Self::Systems(_) | Self::StorageTypes | Self::Volumes | Self::Hosts | Self::Tasks => {
                &[]
            }
            Self::CreateHost => &[],
            Self::System(Kind::Fleet) | Self::Pools(PoolKind::Fleet) | Self::SystemVolumes => {
                &[Named::System]
            }
            Self::System(Kind::DeviceType1)
            | Self::Pools(PoolKind::DeviceType1)
            | Self::DeviceVolumes
            | Self::CreateVolume => &[Named::DeviceType1],
            Self::System(Kind::DeviceType2) => &[Named::DeviceType2],
            Self::Pool(PoolKind::Fleet) => &[Named::System, Named::Pool],
            Self::Pool(PoolKind::DeviceType1) => &[Named::DeviceType1, Named::Pool],
            Self::DeviceVolume | Self::EditVolume | Self::DeleteVolume => {
                &[Named::DeviceType1, Named::Volume]
            }
            Self::Volume => &[Named::Volume],
            Self::Host | Self::UpdateHost | Self::DeleteHost => &[Named::Host],
            Self::Task => &[Named::Task],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_told_by_method_and_path_whatever_its_parameters_are_called() {
        let find = |method, path| Action::find(&method, path);
        assert_eq!(
            find(Method::GET, "/api/v1/tasks/{anything}"),
            Some(Action::Task)
        );
        assert_eq!(
            find(Method::GET, "/api/v1/storage-systems/storage-types"),
            Some(Action::StorageTypes)
        );
        assert_eq!(
            find(Method::GET, "/api/v1/storage-systems/{id}"),
            Some(Action::System(Kind::Fleet))
        );
        assert_eq!(find(Method::POST, "/api/v1/tasks/{id}"), None);
        assert_eq!(find(Method::GET, "/api/v1/audit-events"), None);
        assert_eq!(find(Method::GET, "/tasks/{id}"), None);
    }

    #[test]
    fn each_path_parameter_is_named() {
        for (method, path, action) in PATHS {
            let holes = path.matches("{}").count();
            assert_eq!(action.parameters().len(), holes, "{method} {path}");
        }
    }
}
