#!/usr/bin/env bash
# Brings up a real single-host SLURM cluster on loopback, without systemd.
#   SLURM_HOME   state, logs, conf (default /var/lib/slurm-ci)
#   SLURM_NODES  number of virtual nodes n1..nN (default 4), one slurmd each
#   SLURM_ACCT   dbd | none   dbd = private MariaDB + slurmdbd, so sacct works (default dbd)
#   SLURM_MEM    MiB a node offers (default 4000)     SLURM_CPUS  CPUs a node offers (default 2)
#   SLURM_CGROUP auto | yes | no   cgroup v1 enforcement of memory and cores (default auto)
set -euo pipefail
: "${SLURM_HOME:=/var/lib/slurm-ci}" "${SLURM_NODES:=4}" "${SLURM_ACCT:=dbd}"
: "${SLURM_MEM:=4000}" "${SLURM_CPUS:=2}" "${SLURM_CGROUP:=auto}"
export DEBIAN_FRONTEND=noninteractive
export SLURM_CONF=$SLURM_HOME/etc/slurm.conf
if [ -s "$SLURM_CONF" ] && scontrol ping 2>/dev/null | grep -q 'is UP'; then
  echo "export SLURM_CONF=$SLURM_CONF"
  exit 0
fi
say() { printf 'slurm_up: %s\n' "$*" >&2; }

need=()
for p in slurm-wlm slurm-client slurmd slurmctld munge; do dpkg -s "$p" >/dev/null 2>&1 || need+=("$p"); done
if [ "$SLURM_ACCT" = dbd ]; then
  for p in slurmdbd slurm-wlm-mysql-plugin mariadb-server; do dpkg -s "$p" >/dev/null 2>&1 || need+=("$p"); done
fi
if [ ${#need[@]} -gt 0 ]; then
  apt-get -q update >/dev/null
  apt-get -q -y -o DPkg::Lock::Timeout=600 install --no-install-recommends "${need[@]}" >"${TMPDIR:-/tmp}/slurm_apt.log" 2>&1
fi

H=$SLURM_HOME
mkdir -p "$H"/{etc,log,run,state,db}
for i in $(seq "$SLURM_NODES"); do mkdir -p "$H/spool/n$i"; done
chown -R slurm: "$H"/{log,run,state}
chmod 755 "$H" "$H"/{log,run,state}

# ---- munge: own key and socket dirs as the package lays them; no systemd, so start it by hand
if ! munge -n 2>/dev/null | unmunge >/dev/null 2>&1; then
  [ -s /etc/munge/munge.key ] || /usr/sbin/mungekey --create --force
  chown munge: /etc/munge/munge.key; chmod 400 /etc/munge/munge.key
  install -d -o munge -g munge -m 755 /run/munge
  install -d -o munge -g munge -m 700 /var/lib/munge /var/log/munge
  runuser -u munge -- /usr/sbin/munged
  for _ in $(seq 50); do munge -n 2>/dev/null | unmunge >/dev/null 2>&1 && break; sleep 0.1; done
fi

# ---- cgroups: SLURM 22.05 wants a v1 tree (freezer, memory, cpuset mounted one by one)
if [ "$SLURM_CGROUP" = auto ]; then
  if [ -d /sys/fs/cgroup/memory ] && [ -d /sys/fs/cgroup/freezer ] && [ -d /sys/fs/cgroup/cpuset ]; then
    SLURM_CGROUP=yes; else SLURM_CGROUP=no; fi
fi
if [ "$SLURM_CGROUP" = yes ]; then
  PROCTRACK=proctrack/cgroup TASK=task/affinity,task/cgroup GATHER=jobacct_gather/cgroup OVERMEM=''
else
  PROCTRACK=proctrack/linuxproc TASK=task/none GATHER=jobacct_gather/linux OVERMEM='JobAcctGatherParams=OverMemoryKill'
fi
cat >"$H/etc/cgroup.conf" <<C
CgroupPlugin=cgroup/v1
CgroupMountpoint=/sys/fs/cgroup
CgroupAutomount=no
ConstrainCores=no
ConstrainRAMSpace=yes
ConstrainSwapSpace=no
ConstrainDevices=no
C
[ "$SLURM_CGROUP" = yes ] || echo '# not used: no cgroup v1 tree here' >"$H/etc/cgroup.conf"

# ---- accounting
if [ "$SLURM_ACCT" = dbd ]; then
  ACCT="AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort=17819
AccountingStorageTRES=cpu,mem,node
AccountingStorageEnforce=qos,limits"
  SOCK=$H/run/mysqld.sock
  install -d -o mysql -g mysql -m 750 "$H/db"; install -d -o mysql -g mysql "$H/run/mysql"; SOCK=$H/run/mysql/mysqld.sock
  if ! mariadb-admin --no-defaults -uroot -S "$SOCK" ping >/dev/null 2>&1; then
    [ -d "$H/db/mysql" ] || mariadb-install-db --no-defaults --user=mysql --datadir="$H/db" --auth-root-authentication-method=socket --skip-test-db >"$H/log/mariadb-install.log" 2>&1
    setsid mariadbd --no-defaults --user=mysql --datadir="$H/db" --socket="$SOCK" --skip-networking \
      --pid-file="$H/run/mysql/mariadbd.pid" --innodb-buffer-pool-size=128M --innodb-lock-wait-timeout=900 >"$H/log/mariadbd.log" 2>&1 </dev/null &
    for _ in $(seq 150); do mariadb-admin --no-defaults -uroot -S "$SOCK" ping >/dev/null 2>&1 && break; sleep 0.2; done
  fi
  mariadb --no-defaults -uroot -S "$SOCK" -e "CREATE DATABASE IF NOT EXISTS slurm_acct_db;
    CREATE USER IF NOT EXISTS 'slurm'@'localhost' IDENTIFIED VIA unix_socket;
    GRANT ALL ON slurm_acct_db.* TO 'slurm'@'localhost';"
  cat >"$H/etc/slurmdbd.conf" <<C
AuthType=auth/munge
DbdHost=localhost
DbdPort=17819
SlurmUser=slurm
LogFile=$H/log/slurmdbd.log
PidFile=$H/run/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageLoc=slurm_acct_db
StorageUser=slurm
C
  # the MySQL client finds the private socket through an option file named by this variable
  printf '[client]\nsocket=%s\n' "$SOCK" >"$H/etc/my.cnf"
  chown slurm: "$H/etc/slurmdbd.conf"; chmod 600 "$H/etc/slurmdbd.conf"
else
  ACCT="AccountingStorageType=accounting_storage/none"
fi

LAST=$((17000 + SLURM_NODES))
cat >"$H/etc/slurm.conf" <<C
ClusterName=ci
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=slurm
AuthType=auth/munge
CredType=cred/munge
StateSaveLocation=$H/state
SlurmdSpoolDir=$H/spool/%n
SlurmctldPidFile=$H/run/slurmctld.pid
SlurmdPidFile=$H/run/slurmd-%n.pid
SlurmctldLogFile=$H/log/slurmctld.log
SlurmdLogFile=$H/log/slurmd-%n.log
ProctrackType=$PROCTRACK
TaskPlugin=$TASK
JobAcctGatherType=$GATHER
JobAcctGatherFrequency=task=1
$OVERMEM
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=2,sched_min_interval=100000,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PriorityType=priority/multifactor
ReturnToService=2
SlurmdParameters=config_overrides
MpiDefault=none
SwitchType=switch/none
KillWait=15
BatchStartTimeout=10
SlurmctldTimeout=30
SlurmdTimeout=30
InactiveLimit=0
MinJobAge=300
Waittime=0
OverTimeLimit=0
JobRequeue=1
MaxArraySize=10001
MaxJobCount=20000
RebootProgram=/bin/true
DefMemPerCPU=500
$ACCT
NodeName=n[1-$SLURM_NODES] NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=[17001-$LAST] CPUs=$SLURM_CPUS RealMemory=$SLURM_MEM State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE DefaultTime=60 State=UP PriorityTier=10 PreemptMode=OFF
PartitionName=scavenge Nodes=ALL MaxTime=INFINITE DefaultTime=60 State=UP PriorityTier=1 PreemptMode=REQUEUE GraceTime=0
PartitionName=short Nodes=ALL MaxTime=5 DefaultTime=5 State=UP PriorityTier=5 PreemptMode=OFF
C
chown -R slurm: "$H/etc"; chmod 755 "$H/etc"
export SLURM_CONF=$H/etc/slurm.conf

if [ "$SLURM_ACCT" = dbd ]; then
  if ! [ -s "$H/run/slurmdbd.pid" ] || ! kill -0 "$(cat "$H/run/slurmdbd.pid")" 2>/dev/null; then
    # slurmdbd uses StorageHost=localhost -> the client library's default socket; point it at ours
    runuser -u slurm -- env SLURM_CONF="$SLURM_CONF" MYSQL_UNIX_PORT="$SOCK" /usr/sbin/slurmdbd
    for _ in $(seq 100); do sacctmgr -n -P list cluster >/dev/null 2>&1 && break; sleep 0.2; done
  fi
  sacctmgr -n -P list cluster format=cluster | grep -qx ci || sacctmgr -i add cluster ci >/dev/null
  sacctmgr -n -P list account format=account | grep -qx ci || {
    sacctmgr -i add account ci Cluster=ci >/dev/null
    sacctmgr -i add user root Account=ci >/dev/null; }
fi
/usr/sbin/slurmctld
for i in $(seq "$SLURM_NODES"); do
  # a session of its own, so that the job's own process group never reaches our caller
  setsid /usr/sbin/slurmd -N "n$i"
done
idle() { [ "$(sinfo -h -N -p main -o '%T' 2>/dev/null | grep -c '^idle')" = "$SLURM_NODES" ]; }
for _ in $(seq 150); do
  idle && break
  sleep 0.2
done
sinfo -p main -N -l >&2
idle || { say "not all nodes are idle: $H/log"; exit 1; }
echo "export SLURM_CONF=$SLURM_CONF"
